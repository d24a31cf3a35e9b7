const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Makes a text safe between tags and in attributes. */
export function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]);
}
