/**
 * lit-html looks for a document as soon as it is loaded. Imported first, this lets Node load
 * what can also paint, and nothing is painted.
 */
globalThis.document ??= { createComment: () => null, createTreeWalker: () => null };
