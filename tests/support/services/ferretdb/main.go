// Command ferretdb serves FerretDB's SQLite backend on one TCP address, one write at a time.
//
// FerretDB 1.24 carries out an update as a query and then a write of the whole document, with nothing
// between them that keeps a second update out: of fifty concurrent $inc most are lost. MongoDB promises
// that a write to one document is atomic, and code that relies on the promise has to be tested against a
// server that keeps it. So clients talk to a relay that lets write commands through one after the other.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Offsets and flags of the MongoDB wire protocol.
const (
	headerBytes     = 16
	opcodeAt        = 12
	opMsg           = 2013
	commandNameAt   = headerBytes + 4 + 1 + 4 + 1 // flags, section kind, document length, element type
	moreToCome      = 1 << 1                      // the sender expects no reply
	maxMessageBytes = 48_000_000
)

var writes = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true,
}

func main() {
	listen := flag.String("listen", "", "TCP address to listen on, host:port")
	data := flag.String("data", "", "existing folder for the SQLite files")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address, data string) error {
	// Below the error level FerretDB logs whole documents.
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Logger:    logger,
		Handler:   "sqlite",
		SQLiteURL: "file:" + data + "/",
	})
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Run(ctx) }()

	backend, err := url.Parse(server.MongoDBURI())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		listener.Close()
	}()

	var turn sync.Mutex
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return <-stopped
		}
		if err != nil {
			return err
		}
		go relay(client, backend.Host, &turn)
	}
}

// relay passes messages between one client and its own backend connection until either side ends.
func relay(client net.Conn, backendAddress string, turn *sync.Mutex) {
	defer client.Close()
	backend, err := net.Dial("tcp", backendAddress)
	if err != nil {
		return
	}
	defer backend.Close()
	for {
		request, err := readMessage(client)
		if err != nil {
			return
		}
		if exchange(client, backend, request, turn) != nil {
			return
		}
	}
}

func exchange(client, backend net.Conn, request []byte, turn *sync.Mutex) error {
	reply, err := ask(backend, request, turn)
	if err != nil || reply == nil {
		return err
	}
	_, err = client.Write(reply)
	return err
}

// ask returns the backend's reply, nil where the sender expects none; a write holds the turn meanwhile.
func ask(backend net.Conn, request []byte, turn *sync.Mutex) ([]byte, error) {
	if writes[commandName(request)] {
		turn.Lock()
		defer turn.Unlock()
	}
	if _, err := backend.Write(request); err != nil {
		return nil, err
	}
	reply, err := readMessage(backend)
	if err == nil && expectsNoReply(request) {
		return nil, nil // FerretDB answers all the same, and the driver would take it for the next reply
	}
	return reply, err
}

func expectsNoReply(request []byte) bool {
	return isMessage(request) && binary.LittleEndian.Uint32(request[headerBytes:])&moreToCome != 0
}

func readMessage(source io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(source, size[:]); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(size[:])
	if length < headerBytes || length > maxMessageBytes {
		return nil, fmt.Errorf("a message of %d bytes", length)
	}
	message := make([]byte, length)
	copy(message, size[:])
	_, err := io.ReadFull(source, message[4:])
	return message, err
}

func isMessage(message []byte) bool {
	return len(message) > commandNameAt && binary.LittleEndian.Uint32(message[opcodeAt:]) == opMsg
}

func commandName(message []byte) string {
	if !isMessage(message) {
		return ""
	}
	name, _, _ := bytes.Cut(message[commandNameAt:], []byte{0})
	return string(name)
}
