package engine

import "time"

const (
	// debtMemory is how long a session that asks for nothing keeps its account.
	debtMemory = 10 * time.Second
	// fewAccounts are kept without looking whether somebody needs them.
	fewAccounts = 64
)

// ledger keeps what each session has had of the slots, in virtual time as
// start-time fair queueing does (Goyal, Vin, Cheng 1996): an account begins at
// the virtual time, that of the least served who waits, and moves on by what its
// decodes cost. So a newcomer neither waits for nor overtakes old debts, and a
// session with long windows comes less often, not later for all.
type ledger struct {
	accounts map[string]*account
	now      time.Duration // virtual
	full     int           // look for accounts to drop when there are more
}

// account is a session's.
type account struct {
	at     time.Duration // virtual
	length time.Duration // of the audio of its last partial
	heard  time.Duration // of its utterance, counted as speech
	users  int           // tickets that refer to it

	seen, refused time.Time // last
}

func newLedger() *ledger { return &ledger{accounts: map[string]*account{}, full: fewAccounts} }

// open is the account of a session for one more ticket.
func (l *ledger) open(session string, now time.Time) *account {
	a := l.accounts[session]
	if a == nil {
		a = &account{}
		if session != "" {
			l.sweep(now)
			l.accounts[session] = a
		}
	}
	a.at, a.seen = max(a.at, l.now), now
	a.users++
	return a
}

// start charges a decode that begins. least is the lowest account of it and those
// that wait: virtual time never passes anybody who does, whatever order they go
// in.
func (l *ledger) start(a *account, cost, least time.Duration) {
	l.now = max(l.now, least)
	a.at += cost
}

// done takes note of the audio of a decode that came to its end, and returns how
// much of it is speech that no final before had: speculative finals of the same
// utterance hear its beginning again.
func (a *account) done(c Class, length time.Duration) (fresh time.Duration) {
	switch c {
	case ClassFirst:
		a.length, a.heard = length, 0
	case ClassPartial:
		a.length = length
	default:
		fresh, a.heard = length-a.heard, length
		if fresh < 0 { // another utterance
			fresh = length
		}
		if c == ClassFinal {
			a.heard = 0
		}
	}
	return fresh
}

// sweep drops accounts that nobody uses and that say nothing any more, or not
// for long: as many remain as sessions decoded lately. It looks at each account
// once for every one that was opened.
func (l *ledger) sweep(now time.Time) {
	if len(l.accounts) < l.full {
		return
	}
	for s, a := range l.accounts {
		if a.users == 0 && (a.at <= l.now || now.Sub(a.seen) > debtMemory) {
			delete(l.accounts, s)
		}
	}
	l.full = max(fewAccounts, 2*len(l.accounts))
}
