// Follows /api/v1/stream, and connects again whenever it is lost.

/** The server says something at least every 15 seconds. */
const SILENT_FOR = 40_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

const KINDS = ["list", "sources", "daemon", "ted", "gone", "happened", "freeze"];

/** Calls `heard(kind, data)` for each event, and `changed(connected)` when the connection comes or goes. */
export function follow(heard, changed) {
  let source = null;
  let wait = FIRST_WAIT;
  let timer = 0;
  let watch = 0;

  function connect() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource("/api/v1/stream");
    listen();
    source.onerror = lost;
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        listen();
        if (kind === "list") {
          wait = FIRST_WAIT;
          changed(true);
        }
        heard(kind, JSON.parse(event.data));
      });
    }
  }

  function listen() {
    clearTimeout(watch);
    watch = setTimeout(lost, SILENT_FOR);
  }

  // A browser gives up on its own after some answers; so it is never left to it.
  function lost() {
    clearTimeout(watch);
    source?.close();
    source = null;
    changed(false);
    clearTimeout(timer);
    timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  // Somebody looks again, or the network is back: no use waiting.
  const hurry = () => {
    if (!source && document.visibilityState === "visible") {
      wait = FIRST_WAIT;
      connect();
    }
  };
  document.addEventListener("visibilitychange", hurry);
  window.addEventListener("online", hurry);
  connect();
}
