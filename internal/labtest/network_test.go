package labtest_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/labtest"
)

func TestListenerHandsOutConnectionsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := labtest.NewListener()
		first, second := ln.Dial(), ln.Dial()
		assert.Equal(t, 2, ln.Unaccepted())

		one, err := ln.Accept()
		require.NoError(t, err)
		other, err := ln.Accept()
		require.NoError(t, err)

		assert.Equal(t, first.LocalAddr(), one.RemoteAddr())
		assert.Equal(t, second.LocalAddr(), other.RemoteAddr())
		assert.NotEqual(t, one.RemoteAddr(), other.RemoteAddr())
		assert.Equal(t, ln.Addr(), one.LocalAddr())
		assert.Zero(t, ln.Unaccepted())

		go func() {
			_, _ = io.WriteString(first, "hello")
			_ = first.Close()
		}()
		said, err := io.ReadAll(one)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(said))

		assert.Equal(t, 2, ln.Open())
		assert.NoError(t, one.Close())
		assert.NoError(t, other.Close())
		assert.NoError(t, other.Close())
		assert.Zero(t, ln.Open())
		_, err = second.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	})
}

func TestListenerWakesThoseWhoAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no more file descriptors")
		for _, c := range []struct {
			end  func(ln *labtest.Listener)
			want error
		}{
			{func(ln *labtest.Listener) { ln.Dial(); ln.Dial() }, nil},
			{func(ln *labtest.Listener) { ln.Fail(broken) }, broken},
			{func(ln *labtest.Listener) { _ = ln.Close() }, net.ErrClosed},
		} {
			ln := labtest.NewListener()
			got := make(chan error)
			for range 2 {
				go func() {
					_, err := ln.Accept()
					got <- err
				}()
			}
			synctest.Wait()
			c.end(ln)
			assert.ErrorIs(t, <-got, c.want)
			assert.ErrorIs(t, <-got, c.want)
		}
	})
}

func TestListenerFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, broken := labtest.NewListener(), errors.New("interrupted")
		got := make(chan error)
		accept := func() {
			_, err := ln.Accept()
			got <- err
		}
		go accept()
		synctest.Wait()
		ln.FailOnce(broken)
		assert.ErrorIs(t, <-got, broken)
		ln.FailOnce(broken)
		ln.Dial()
		go accept()
		assert.ErrorIs(t, <-got, broken)
		go accept()
		assert.NoError(t, <-got)
	})
}

func TestListenerResetsWhatNobodyAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := labtest.NewListener()
		early := ln.Dial()
		assert.False(t, ln.Closed())
		require.NoError(t, ln.Close())
		assert.True(t, ln.Closed())
		assert.ErrorIs(t, ln.Close(), net.ErrClosed)
		for _, client := range []net.Conn{early, ln.Dial()} {
			_, err := client.Read(make([]byte, 1))
			assert.ErrorIs(t, err, io.EOF)
		}
		assert.Zero(t, ln.Open())
	})
}

type silent struct{ net.Conn }

func (silent) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestListenerWrapsTheServersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := labtest.NewListener()
		ln.Dial(func(c net.Conn) net.Conn { return silent{c} })
		server, err := ln.Accept()
		require.NoError(t, err)
		_, err = server.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.NoError(t, server.Close())
		assert.Zero(t, ln.Open())
	})
}

func TestConnectionsKnowDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, server := labtest.Connect()
		require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Hour)))
		start := time.Now()
		_, err := server.Read(make([]byte, 1))
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Equal(t, time.Hour, time.Since(start))
	})
}
