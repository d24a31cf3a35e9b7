package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"google.golang.org/grpc/codes"
)

// picture is green but for a red square in the middle, half as wide and high.
func picture(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{G: 0xff, A: 0xff}
			if x >= width/4 && x < width*3/4 && y >= height/4 && y < height*3/4 {
				c = color.RGBA{R: 0xff, A: 0xff}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shrink is a request of Shrink.
type shrink struct {
	Image  []byte            `json:"image"`
	Box    map[string]uint32 `json:"box"`
	Fit    string            `json:"fit"`
	Format string            `json:"format,omitempty"`
}

func box(width, height uint32) map[string]uint32 { return map[string]uint32{"f0": width, "f1": height} }

func TestThumbnails(t *testing.T) {
	client := start(t, deployment{name: "thumbnails", wit: "examples/thumbnails/wit"})
	m := method(t, client, "demo.thumbnails.v1.Thumbnails/Shrink")
	call := func(t *testing.T, r shrink) (image.Image, string) {
		t.Helper()
		request, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Call(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Value struct {
				Data []byte `json:"data"`
			} `json:"value"`
		}
		if err := json.Unmarshal(got, &answer); err != nil {
			t.Fatal(err)
		}
		small, format, err := image.Decode(bytes.NewReader(answer.Value.Data))
		if err != nil {
			t.Fatal(err)
		}
		return small, format
	}
	wide := asPNG(t, picture(160, 80))
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, picture(120, 120), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		request       shrink
		width, height int
		format        string
	}{
		{"contain", shrink{wide, box(40, 40), "FIT_CONTAIN", ""}, 40, 20, "png"},
		{"cover", shrink{wide, box(40, 40), "FIT_COVER", ""}, 40, 40, "png"},
		{"to JPEG", shrink{wide, box(40, 40), "FIT_CONTAIN", "FORMAT_JPEG"}, 40, 20, "jpeg"},
		{"of JPEG", shrink{photo.Bytes(), box(30, 60), "FIT_COVER", ""}, 30, 60, "jpeg"},
		{"never larger", shrink{wide, box(1000, 1000), "FIT_CONTAIN", ""}, 160, 80, "png"},
	} {
		t.Run(c.name, func(t *testing.T) {
			small, format := call(t, c.request)
			if size := small.Bounds().Size(); size.X != c.width || size.Y != c.height || format != c.format {
				t.Errorf("%v %s, want %dx%d %s", size, format, c.width, c.height, c.format)
			}
			for at, red := range map[image.Point]bool{{c.width / 2, c.height / 2}: true, {c.width / 2, 0}: false} {
				if r, g, _, _ := small.At(at.X, at.Y).RGBA(); red != (r > g) {
					t.Errorf("at %v red is %x, green %x", at, r, g)
				}
			}
		})
	}
	for _, c := range []struct {
		name    string
		request shrink
		code    codes.Code
	}{
		{"no image", shrink{[]byte("GIF87a?"), box(1, 1), "FIT_COVER", ""}, codes.Unimplemented},
		{"no bytes", shrink{nil, box(1, 1), "FIT_COVER", ""}, codes.InvalidArgument},
		{"cut off", shrink{wide[:len(wide)/2], box(1, 1), "FIT_COVER", ""}, codes.InvalidArgument},
		{"a box of nothing", shrink{wide, box(0, 40), "FIT_COVER", ""}, codes.OutOfRange},
		{"a bomb", shrink{bomb(wide), box(40, 40), "FIT_COVER", ""}, codes.OutOfRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := json.Marshal(c.request)
			if err != nil {
				t.Fatal(err)
			}
			if got := fails(t, m, string(request)); got.Code != c.code || len(got.Details) != 1 {
				t.Errorf("%v %q %v, want %v", got.Code, got.Message, got.Details, c.code)
			}
		})
	}
}

// bomb is a PNG that says it has 30,000 by 30,000 pixels.
func bomb(file []byte) []byte {
	out := bytes.Clone(file)
	header := out[12:29] // the chunk IHDR: its name and content; then comes its sum
	binary.BigEndian.PutUint32(header[4:], 30_000)
	binary.BigEndian.PutUint32(header[8:], 30_000)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(header))
	return out
}
