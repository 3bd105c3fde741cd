/**
 * @param {string} home the chat's own address, ending in `/`
 * @param {string} slug
 * @param {number | null} [seq] of a message in that room
 */
export function roomPath(home, slug, seq = null) {
  const room = `${home}${encodeURIComponent(slug)}/`;
  return seq === null ? room : `${room}${seq}/`;
}

/**
 * What an address of the chat means.
 *
 * @param {string} home
 * @param {string} path
 * @returns {{slug: string | null, seq: number | null}}
 */
export function parse(home, path) {
  const [slug = "", seq = ""] = path.slice(home.length).split("/");
  return { slug: slug ? decoded(slug) : null, seq: /^\d+$/.test(seq) ? Number(seq) : null };
}

/** @param {string} slug as an address has it; what is no UTF-8 stays as it is, and is nowhere */
function decoded(slug) {
  try {
    return decodeURIComponent(slug);
  } catch {
    return slug;
  }
}

/**
 * Whether a link leads to a home, room or message that this page can show by itself.
 *
 * @param {{origin: string, pathname: string, search: string}} link
 * @param {string} home
 */
export function samePage(link, home) {
  const inChat = link.origin === location.origin && link.pathname.startsWith(home);
  return inChat && !link.search && !link.pathname.startsWith(`${home}-/`);
}
