// parse-certificates says of each certificate on its standard input, one a line in base64, whether Go's crypto/x509 reads
// it: "ok", or why not.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		der, err := base64.StdEncoding.DecodeString(in.Text())
		if err == nil {
			_, err = x509.ParseCertificate(der)
		}
		if err == nil {
			fmt.Fprintln(out, "ok")
		} else {
			fmt.Fprintf(out, "%q\n", err)
		}
	}
}
