package merge

// Instances is how many core modules a component makes instances of.
func Instances(binary []byte) (n int) {
	for _, i := range read(binary).instances {
		if i.module >= 0 {
			n++
		}
	}
	return n
}
