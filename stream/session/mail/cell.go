package mail

import "sync"

// Cell holds the newest of values that replace each other until somebody takes
// it. It is safe for concurrent use.
type Cell[T any] struct {
	mu          sync.Mutex
	value, seen T
}

// Put replaces the value.
func (c *Cell[T]) Put(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value = v
}

// Take returns the newest value.
func (c *Cell[T]) Take() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = c.value
	return c.value
}

// Taken returns what Take returned last, nothing where it has not been called.
func (c *Cell[T]) Taken() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}
