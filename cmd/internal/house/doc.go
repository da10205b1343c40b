// Package house holds tests of the repository itself: which package may import
// which, and how large files, functions and types may grow. It has no code.
package house
