// nginx stands in for nginx below ingress-nginx's controller: it takes nginx's command line and what the controller
// posts to nginx's Lua programs, and forwards plain HTTP by the hosts and paths of the nginx.conf that the controller
// writes. It writes no log: every line in the log of the pod is the controller's own.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	pidFile       = "/tmp/nginx/nginx.pid"
	configuration = "/etc/nginx/nginx.conf"
	control       = "127.0.0.1:10246"
)

// location is one block of a server: kind is empty, "=" or "~*".
type location struct{ kind, path, upstream string }

type state struct {
	sync.Mutex
	servers   map[string][]location
	upstreams map[string][]string
}

var (
	server   = regexp.MustCompile(`^server_name (.*);$`)
	block    = regexp.MustCompile(`^location (?:(=|~\*) )?"?(.*?)"? \{$`)
	upstream = regexp.MustCompile(`^set \$proxy_upstream_name "(.*)";$`)
)

func main() {
	arguments := os.Args[1:]
	switch {
	case slices.Contains(arguments, "-v") || slices.Contains(arguments, "-V"):
		fmt.Println("nginx version: nginx/1.25.5")
	case slices.Contains(arguments, "-t"):
		fmt.Println("test is successful")
	case slices.Contains(arguments, "-s"):
		sign := syscall.SIGHUP
		if !slices.Contains(arguments, "reload") {
			sign = syscall.SIGQUIT
		}
		text, err := os.ReadFile(pidFile)
		check(err)
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		check(err)
		check(syscall.Kill(pid, sign))
	default:
		run()
	}
}

func run() {
	check(os.MkdirAll(filepath.Dir(pidFile), 0o755))
	check(os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())), 0o644))
	all := &state{upstreams: map[string][]string{}}
	all.read()
	go func() { check(http.ListenAndServe(control, http.HandlerFunc(all.controlled))) }()
	go func() { check(http.ListenAndServe(":80", http.HandlerFunc(all.forward))) }()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTERM)
	for received := range signals {
		if received != syscall.SIGHUP {
			os.Remove(pidFile)
			return
		}
		all.read()
	}
}

// read takes the servers and locations from the generated nginx.conf.
func (all *state) read() {
	text, err := os.ReadFile(configuration)
	if err != nil {
		return // The controller has not written it yet.
	}
	servers, names := map[string][]location{}, []string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if found := server.FindStringSubmatch(line); found != nil {
			names = strings.Fields(found[1])
		} else if found := block.FindStringSubmatch(line); found != nil {
			for _, name := range names {
				servers[name] = append(servers[name], location{found[1], found[2], ""})
			}
		} else if found := upstream.FindStringSubmatch(line); found != nil {
			for _, name := range names {
				if rows := servers[name]; len(rows) > 0 {
					rows[len(rows)-1].upstream = found[1]
				}
			}
		}
	}
	all.Lock()
	defer all.Unlock()
	all.servers = servers
}

// controlled answers as nginx's Lua programs do.
func (all *state) controlled(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		return
	}
	if r.URL.Path == "/configuration/backends" {
		var rows []struct {
			Name      string
			Endpoints []struct{ Address, Port string }
		}
		if err := json.NewDecoder(r.Body).Decode(&rows); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		upstreams := map[string][]string{}
		for _, row := range rows {
			for _, one := range row.Endpoints {
				upstreams[row.Name] = append(upstreams[row.Name], net.JoinHostPort(one.Address, one.Port))
			}
		}
		all.Lock()
		all.upstreams = upstreams
		all.Unlock()
	}
	w.WriteHeader(http.StatusCreated)
}

func (all *state) forward(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	all.Lock()
	rows, found := all.servers[host]
	if !found {
		rows = all.servers["_"]
	}
	name := chosen(rows, r.URL.Path)
	endpoints := all.upstreams[name]
	all.Unlock()
	switch {
	case name == "" || name == "upstream-default-backend":
		http.Error(w, "404 Not Found", http.StatusNotFound)
	case len(endpoints) == 0:
		http.Error(w, "503 Service Temporarily Unavailable", http.StatusServiceUnavailable)
	default:
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: endpoints[0]})
		proxy.Transport = &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
		proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
			status := http.StatusBadGateway
			if failed, ok := err.(net.Error); ok && failed.Timeout() {
				status = http.StatusGatewayTimeout
			}
			http.Error(w, http.StatusText(status), status)
		}
		proxy.ServeHTTP(w, r)
	}
}

// chosen is the upstream of the location that nginx chooses: the exact one, else the first pattern, else the longest prefix.
func chosen(rows []location, path string) string {
	name, longest := "", -1
	for _, row := range rows {
		switch row.kind {
		case "=":
			if row.path == path {
				return row.upstream
			}
		case "":
			if strings.HasPrefix(path, row.path) && len(row.path) > longest {
				name, longest = row.upstream, len(row.path)
			}
		}
	}
	for _, row := range rows {
		if row.kind == "~*" {
			if pattern, err := regexp.Compile("(?i)" + row.path); err == nil && pattern.MatchString(path) {
				return row.upstream
			}
		}
	}
	return name
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
