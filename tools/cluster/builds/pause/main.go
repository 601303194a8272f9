// The first process of every pod's sandbox, and of a bare node itself: it holds the namespaces open, reaps whatever is
// orphaned into them, and ends at once when it is told to.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 16)
	signal.Notify(ended, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for received := range ended {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
