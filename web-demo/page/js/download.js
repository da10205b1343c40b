// download hands a text to the browser as a file.

export function download(name, mime, text) {
  const url = URL.createObjectURL(new Blob([text], { type: `${mime};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** fileName is "parley-2026-01-31-1405.srt" for a local date. */
export function fileName(extension, date = new Date()) {
  const pad = (n) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `parley-${day}-${pad(date.getHours())}${pad(date.getMinutes())}.${extension}`;
}
