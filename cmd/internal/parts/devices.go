package parts

import (
	"parley/cmd/internal/serve"
	"parley/engine/whisper"
)

// Devices lists where recognition can run, as clients are told.
func Devices(backends string) ([]serve.Device, error) {
	found, err := whisper.Devices(backends)
	if err != nil {
		return nil, err
	}
	list := make([]serve.Device, 0, len(found))
	for _, d := range found {
		list = append(list, serve.Device{Name: d.Name, Description: d.Description, Kind: string(d.Type), MemoryMiB: int(d.Total >> 20)})
	}
	return list, nil
}
