package secrets

import (
	"github.com/prometheus/client_golang/prometheus"
)

var (
	secretsDesc = prometheus.NewDesc("weft_secrets", "Secrets of the catalog, by whether this node has the key that they are encrypted with.",
		[]string{"readable"}, nil)
	keysDesc = prometheus.NewDesc("weft_secret_keys", "Keys for secrets that this node has.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *Store) Describe(to chan<- *prometheus.Desc) {
	to <- secretsDesc
	to <- keysDesc
	s.reads.Describe(to)
}

// Collect implements prometheus.Collector. It counts the secrets of the catalog each time.
func (s *Store) Collect(to chan<- prometheus.Metric) {
	s.reads.Collect(to)
	var yes, no float64
	for row := range s.view().AllSecrets() {
		if s.keys.Has(row.GetKeyId()) {
			yes++
		} else {
			no++
		}
	}
	to <- prometheus.MustNewConstMetric(secretsDesc, prometheus.GaugeValue, yes, "true")
	to <- prometheus.MustNewConstMetric(secretsDesc, prometheus.GaugeValue, no, "false")
	to <- prometheus.MustNewConstMetric(keysDesc, prometheus.GaugeValue, float64(len(s.keys.IDs())))
}
