// Keeps the page up to date: the server sends the sections that have changed, as
// escaped HTML, and they replace the old ones. What is open stays open, and the
// keyboard focus stays where it is.
"use strict";
(() => {
  const link = document.getElementById("link");
  const pending = new Map(); // sections that wait while a part of them is selected
  let source = null;
  let timer = 0; // of silence, or until the next try

  const say = (text, lost) => {
    if (link.textContent !== text) link.textContent = text;
    link.classList.toggle("lost", lost);
  };

  const keyed = (root, key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`);

  const replace = (section, news) => {
    const open = [...section.querySelectorAll("details[open][data-key]")].map((d) => d.dataset.key);
    const known = new Set([...section.querySelectorAll(".document")].map((d) => d.dataset.id));
    const active = section.contains(document.activeElement) ? document.activeElement : null;
    const place = active && active.closest("[data-key]");
    const template = document.createElement("template");
    template.innerHTML = news.html;
    for (const key of open) {
      const again = keyed(template.content, key);
      if (again) again.open = true;
    }
    if (known.size > 0) {
      for (const d of template.content.querySelectorAll(".document")) {
        if (!known.has(d.dataset.id)) d.classList.add("new");
      }
    }
    section.replaceChildren(template.content);
    section.dataset.version = news.version;
    const again = place && keyed(section, place.dataset.key);
    if (again) (active.matches("summary") ? again.querySelector("summary") : again.querySelector("[tabindex]")).focus({ preventScroll: true });
  };

  const selecting = (section) => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && section.contains(selection.anchorNode);
  };

  const apply = () => {
    for (const [id, news] of pending) {
      const section = document.getElementById(id);
      if (section && selecting(section)) continue;
      pending.delete(id);
      if (section && section.dataset.version !== news.version) replace(section, news);
    }
  };

  const stop = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  };

  const lose = () => {
    stop();
    say("Connection to docusort lost. What stands below is from before; this page tries again by itself.", true);
    timer = setTimeout(connect, 5000);
  };

  // The server says something every 15 seconds at least.
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(lose, 40000);
  };

  const connect = () => {
    if (source || document.hidden) return;
    source = new EventSource(document.body.dataset.events);
    heard();
    source.addEventListener("open", () => say("This page updates itself.", false));
    source.addEventListener("alive", heard);
    source.addEventListener("sections", (event) => {
      heard();
      for (const [id, news] of Object.entries(JSON.parse(event.data))) pending.set(id, news);
      apply();
    });
    source.addEventListener("error", lose);
  };

  // A page that nobody sees costs nothing.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
    else connect();
  });
  document.addEventListener("selectionchange", () => { if (pending.size > 0) apply(); });
  connect();
})();
