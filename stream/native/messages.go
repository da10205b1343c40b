package native

// The server's JSON messages as they stand on the wire. All *_us are
// microseconds of media time, all *_ms milliseconds.

// envelope opens every message of the server.
type envelope struct {
	Type string `json:"type"`
	Re   string `json:"re,omitempty"` // the client's id of the command it answers
	Seq  uint64 `json:"seq"`          // from 1, +1 a JSON message
}

func (e *envelope) head() *envelope { return e }

// message is any of the structs below.
type message interface{ head() *envelope }

type (
	sessionStarted struct {
		envelope
		Session        string      `json:"session"`
		Resumed        bool        `json:"resumed"`
		ResumeWindowMS int64       `json:"resume_window_ms"`
		Config         config      `json:"config"`
		Limits         limits      `json:"limits"`
		Input          inputCursor `json:"input"`
		Server         string      `json:"server"`
	}
	sessionUpdated struct {
		envelope
		Config config `json:"config"`
	}
	sessionEnded struct {
		envelope
		Reason string `json:"reason"`
		Stats  stats  `json:"stats"`
	}
	pong struct {
		envelope
		T        float64 `json:"t"`
		ServerUS int64   `json:"server_us"`
	}
	utteranceEdge struct { // vad.start, vad.end and turn.resumed
		envelope
		Utt  string `json:"utt"`
		AtUS int64  `json:"at_us"`
	}
	transcriptPartial struct {
		envelope
		Utt         string `json:"utt"`
		Rev         int    `json:"rev"`
		Stable      string `json:"stable"`
		Tail        string `json:"tail"`
		StartUS     int64  `json:"start_us"`
		EndUS       int64  `json:"end_us"`
		Words       []word `json:"words,omitzero"`
		StableWords *int   `json:"stable_words,omitempty"` // how many of Words are stable
	}
	transcriptFinal struct {
		envelope
		Utt        string  `json:"utt"`
		Text       string  `json:"text"`
		Language   string  `json:"language"`
		StartUS    int64   `json:"start_us"`
		EndUS      int64   `json:"end_us"`
		Confidence float32 `json:"confidence"`
		Words      []word  `json:"words,omitzero"`
		Reason     string  `json:"reason"`
		Revised    bool    `json:"revised,omitempty"` // it does not begin with the last stable
	}
	turnEager struct {
		envelope
		Utt  string  `json:"utt"`
		Text string  `json:"text"`
		Prob float64 `json:"prob"`
		AtUS int64   `json:"at_us"`
	}
	transcriptFailed struct {
		envelope
		Utt   string `json:"utt"`
		Error fail   `json:"error"`
	}
	inputCleared struct {
		envelope
		Utt string `json:"utt,omitempty"`
	}
	inputAck struct {
		envelope
		Stream    uint16 `json:"stream"`
		FrameSeq  uint32 `json:"frame_seq"` // of the last binary frame taken in
		PTSUS     int64  `json:"pts_us"`
		BacklogMS int64  `json:"backlog_ms"`
	}
	flow struct {
		envelope
		Stream uint16 `json:"stream"`
		State  string `json:"state"`
	}
	speakStarted struct {
		envelope
		Speech string `json:"speech"`
		Stream uint16 `json:"stream"`
		Codec  string `json:"codec"`
		Rate   int    `json:"rate"`
	}
	speakMark struct {
		envelope
		Speech string `json:"speech"`
		From   int    `json:"from"`
		To     int    `json:"to"`
		AtUS   int64  `json:"at_us"`
	}
	speakDone struct {
		envelope
		Speech      string `json:"speech"`
		Reason      string `json:"reason"`
		DurationUS  int64  `json:"duration_us"`
		SpokenChars int    `json:"spoken_chars"`
		Error       *fail  `json:"error,omitempty"`
	}
	warning struct {
		envelope
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	failure struct { // error
		envelope
		fail
		Fatal bool `json:"fatal"`
	}
)

// Parts of messages.
type (
	config struct {
		Input     inputConfig  `json:"input"`
		Output    outputConfig `json:"output"`
		ASR       asrConfig    `json:"asr"`
		VAD       vadConfig    `json:"vad"`
		TTS       ttsConfig    `json:"tts"`
		Interrupt string       `json:"interrupt"`
	}
	inputConfig struct {
		Codec    string `json:"codec"`
		Rate     int    `json:"rate,omitempty"` // absent where the stream itself tells
		Channels int    `json:"channels,omitempty"`
		Framing  string `json:"framing"`
	}
	outputConfig struct {
		Codec   string `json:"codec"`
		Rate    int    `json:"rate"`
		Framing string `json:"framing"`
		LeadMS  int64  `json:"lead_ms"`
	}
	asrConfig struct {
		Model    string   `json:"model"`
		Language string   `json:"language"`
		Task     string   `json:"task"`
		Prompt   string   `json:"prompt"`
		Keywords []string `json:"keywords"`
		Words    bool     `json:"words"`
		Partials string   `json:"partials"`
		Final    string   `json:"final"`
	}
	vadConfig struct {
		Mode           string  `json:"mode"`
		Threshold      float32 `json:"threshold"`
		PrefixMS       int     `json:"prefix_ms"`
		SilenceMS      int     `json:"silence_ms"`
		MaxUtteranceMS int     `json:"max_utterance_ms"`
		Eager          float64 `json:"eager"`
		PatienceMS     int64   `json:"patience_ms"`
	}
	ttsConfig struct {
		Voice string  `json:"voice"`
		Speed float64 `json:"speed"`
	}
	limits struct {
		MaxFrame     int   `json:"max_frame"`
		MaxBacklogMS int64 `json:"max_backlog_ms"`
		IdleMS       int64 `json:"idle_ms"`
		MaxSessionMS int64 `json:"max_session_ms"`
		MaxText      int   `json:"max_text"`
	}
	// inputCursor says for each input stream which seq is expected next.
	inputCursor struct {
		NextSeq map[string]uint32 `json:"next_seq"`
	}
	stats struct {
		AudioUS     int64 `json:"audio_us"`
		ConcealedUS int64 `json:"concealed_us"`
		DroppedUS   int64 `json:"dropped_us"`
		Utterances  int   `json:"utterances"`
		Speeches    int   `json:"speeches"`
		SpokenUS    int64 `json:"spoken_us"`
	}
	word struct {
		W       string  `json:"w"`
		StartUS int64   `json:"start_us"`
		EndUS   int64   `json:"end_us"`
		P       float32 `json:"p"`
		Joined  bool    `json:"joined,omitempty"` // no blank before it
	}
	fail struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Param   string `json:"param,omitempty"`
		// RetryAfterMS, of overloaded: when to try again.
		RetryAfterMS int64 `json:"retry_after_ms,omitempty"`
	}
)
