package golden

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Values that Go has no type for. Arguments of a call are these and string, int, int64, float64, bool, nil
// and []any.
type (
	// object is a struct, in the order its members are sent.
	object []member
	member struct {
		name  string
		value any
	}
	// blob is sent as base64.
	blob string
	// dateTime is sent as it stands.
	dateTime string
	// element is markup put where a value element belongs, for what no client would marshal.
	element string
)

// marshalCall returns the body of a call as xmlrpclib.dumps and xmlrpc.client.dumps write it; they agree.
func marshalCall(method string, args ...any) string {
	var out strings.Builder
	out.WriteString("<?xml version='1.0'?>\n<methodCall>\n<methodName>" + method + "</methodName>\n")
	out.WriteString("<params>\n")
	for _, arg := range args {
		out.WriteString("<param>\n")
		marshal(&out, arg)
		out.WriteString("</param>\n")
	}
	out.WriteString("</params>\n</methodCall>\n")
	return out.String()
}

// marshal mirrors Marshaller.dump_*, the missing line end after nil included.
func marshal(out *strings.Builder, value any) {
	switch v := value.(type) {
	case nil:
		out.WriteString("<value><nil/></value>")
	case string:
		scalar(out, "string", escape(v))
	case int:
		scalar(out, "int", strconv.Itoa(v))
	case float64:
		scalar(out, "double", reprFloat(v))
	case bool:
		scalar(out, "boolean", map[bool]string{true: "1", false: "0"}[v])
	case dateTime:
		scalar(out, "dateTime.iso8601", string(v))
	case blob:
		out.WriteString("<value><base64>\n" + mimeLines([]byte(v)) + "</base64></value>\n")
	case []any:
		out.WriteString("<value><array><data>\n")
		for _, item := range v {
			marshal(out, item)
		}
		out.WriteString("</data></array></value>\n")
	case object:
		out.WriteString("<value><struct>\n")
		for _, m := range v {
			out.WriteString("<member>\n<name>" + escape(m.name) + "</name>\n")
			marshal(out, m.value)
			out.WriteString("</member>\n")
		}
		out.WriteString("</struct></value>\n")
	case element:
		out.WriteString(string(v))
	default:
		// A session definition is wrong; there is nobody to report it to but its author.
		panic(fmt.Sprintf("golden: cannot marshal %T", value))
	}
}

func scalar(out *strings.Builder, tag, text string) {
	out.WriteString("<value><" + tag + ">" + text + "</" + tag + "></value>\n")
}

func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// mimeLines is Python's base64.encodestring: 76 characters a line, each line ended.
func mimeLines(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var out strings.Builder
	for len(text) > 76 {
		out.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	if text != "" {
		out.WriteString(text + "\n")
	}
	return out.String()
}

// reprFloat is Python's repr of a float: the shortest digits that read back, an exponent below 1e-4 and from
// 1e16 on, and always a point, an exponent or a name.
func reprFloat(v float64) string {
	text := strconv.FormatFloat(v, 'e', -1, 64)
	_, exponent, found := strings.Cut(text, "e")
	if !found { // inf, nan
		return strings.ToLower(strings.TrimPrefix(text, "+"))
	}
	if e, err := strconv.Atoi(exponent); err != nil || e < -4 || e >= 16 {
		return text
	}
	text = strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
