package lean

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// appendFrame appends the header of a frame: RFC 9113, section 4.1.
func appendFrame(b []byte, kind http2.FrameType, flags http2.Flags, stream uint32, size int) []byte {
	b = append(b, byte(size>>16), byte(size>>8), byte(size), byte(kind), byte(flags))
	return binary.BigEndian.AppendUint32(b, stream)
}

func appendSettings(b []byte, settings ...http2.Setting) []byte {
	b = appendFrame(b, http2.FrameSettings, 0, 0, 6*len(settings))
	for _, s := range settings {
		b = binary.BigEndian.AppendUint16(b, uint16(s.ID))
		b = binary.BigEndian.AppendUint32(b, s.Val)
	}
	return b
}

func appendSettingsAck(b []byte) []byte {
	return appendFrame(b, http2.FrameSettings, http2.FlagSettingsAck, 0, 0)
}

func appendWindowUpdate(b []byte, stream, increment uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, http2.FrameWindowUpdate, 0, stream, 4), increment)
}

func appendReset(b []byte, stream uint32, code http2.ErrCode) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, http2.FrameRSTStream, 0, stream, 4), uint32(code))
}

func appendPing(b []byte, ack bool, data [8]byte) []byte {
	var flags http2.Flags
	if ack {
		flags = http2.FlagPingAck
	}
	return append(appendFrame(b, http2.FramePing, flags, 0, len(data)), data[:]...)
}

func appendGoAway(b []byte, last uint32, code http2.ErrCode, debug string) []byte {
	b = binary.BigEndian.AppendUint32(appendFrame(b, http2.FrameGoAway, 0, 0, 8+len(debug)), last)
	return append(binary.BigEndian.AppendUint32(b, uint32(code)), debug...)
}

// appendBlock appends a header block, in as many frames as it needs.
func appendBlock(b []byte, stream uint32, block []byte, ended bool, largest int) []byte {
	var flags http2.Flags
	if ended {
		flags = http2.FlagHeadersEndStream
	}
	kind := http2.FrameHeaders
	for len(block) > largest {
		b = append(appendFrame(b, kind, flags, stream, largest), block[:largest]...)
		block = block[largest:]
		kind, flags = http2.FrameContinuation, 0
	}
	return append(appendFrame(b, kind, flags|http2.FlagHeadersEndHeaders, stream, len(block)), block...)
}
