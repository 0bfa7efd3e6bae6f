/**
 * Characters that change what is around them: control characters of ASCII and of Latin 1 (C0, C1), which move the cursor
 * of a terminal, invisible format characters, which turn the direction of text (bidi), separators of lines, and halves of
 * surrogate pairs. Whoever reads a text with them reads something else than is in it.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0
}

/** One line: `\u202e` for each such character, as JSON writes it. */
export function toPrintable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escaped)
}

/** The same, with line feeds left as they are. */
export function toPrintableLines(text: string): string {
  return text.replaceAll(IN_LINES, escaped)
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  }).join('')
}
