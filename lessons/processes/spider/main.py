from multiprocessing import Process


class Spider(Process):
    def __init__(self, address):
        super().__init__()
        self.addr = address

    def run(self):
        print(f"Crawling through {self.addr}.", flush=True)


if __name__ == "__main__":
    spiders = [Spider("www.fanbase.com"), Spider("www.com")]
    for spider in spiders:
        spider.start()
    for spider in spiders:
        spider.join()
