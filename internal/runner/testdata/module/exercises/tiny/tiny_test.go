package tiny

import (
	"testing"

	"conclab/suite"
)

func TestAdd(t *testing.T) {
	if got := Add(1, 2); got != 3 {
		t.Errorf("Add must add: Add(1, 2) is %d", got)
	}
}

type ActSuite struct{}

func TestAct(t *testing.T) { suite.Run(t, new(ActSuite)) }

func (*ActSuite) TestA(t *testing.T) {}

func (*ActSuite) TestB(t *testing.T) { Act(t) }

func (*ActSuite) TestC(t *testing.T) {
	if Spoiled {
		t.Attr("conclab.verdict", "did not run")
		t.Fatal("did not run: the test before has spoiled it")
	}
}

func TestBrave(t *testing.T) {
	if got := Add(-1, -2); got != -3 {
		t.Errorf("Add must be brave: Add(-1, -2) is %d", got)
	}
}
