// What to tell a person when something they asked for did not work.

const MICROPHONE = {
  InsecureContextError: [
    "The browser gives the microphone only to secure pages.",
    "Open this page over https, or on the server's own computer as localhost.",
  ],
  NotSupportedError: ["This browser cannot capture audio.", "A current Chrome, Edge, Firefox or Safari can."],
  NotFoundError: ["No microphone was found.", "Connect one, or enable it in the system settings, and press Start again."],
  OverconstrainedError: ["The chosen microphone is not connected.", "Choose another one in Settings, or connect it again."],
  NotAllowedError: [
    "The browser was not allowed to use the microphone.",
    "Allow it for this page (the icon beside the address) and press Start again.",
  ],
  SecurityError: ["The browser forbids the microphone on this page.", "Check its site settings and the embedding page."],
  NotReadableError: ["The microphone is in use or blocked by the system.", "Close other programs that record, then press Start again."],
  AbortError: ["The microphone stopped before it started.", "Press Start again."],
};

/** microphoneFailure gives {title, advice} for an error of Microphone.start. */
export function microphoneFailure(error) {
  const [title, advice] = MICROPHONE[error.name] ?? ["The microphone could not be started.", error.message];
  return { title, advice };
}

const CLOSED = {
  1000: ["The session has ended.", ""],
  4400: ["The server did not accept a message of this page.", "Reload the page; page and server may be of different versions."],
  4401: ["This server asks for a key.", "Open the page through the address with access that you were given."],
  4403: ["This server does not accept connections from this page.", "Its allowed origins can be set in the server's configuration."],
  4404: ["The server does not have the chosen model.", "Reload the page."],
  4408: ["The session was closed because it was idle.", ""],
  4409: ["Another window took over this session.", ""],
  4413: ["The server refused a frame that was too large.", "Reload the page."],
  4415: ["The server does not know this audio format.", "Choose another audio format in Settings."],
};

/** closeFailure gives {title, advice} for a connection that will not come back by itself. */
export function closeFailure(code, reason) {
  const [title, advice] = CLOSED[code] ?? ["The connection was closed.", ""];
  return { title, advice: [reason && `The server says: ${reason}.`, advice].filter(Boolean).join(" ") };
}

/** lossFailure gives {title, advice} while the page tries again; status is what /v1/info answered, 0 for nothing. */
export function lossFailure(code, reason, status) {
  const title = lossTitle(code, reason, status);
  const said = reason && !["draining", "session_limit"].includes(reason) ? `The server says: ${reason}. ` : "";
  return { title, advice: `${said}Trying again by itself; the transcript is kept.` };
}

function lossTitle(code, reason, status) {
  if (reason === "session_limit") return "The session was as long as the server allows.";
  if (code === 4503 || code === 4429) return "The server is busy.";
  if (status === 503) return "The server is starting.";
  return code === 1001 ? "The server is restarting." : "Connection lost.";
}
