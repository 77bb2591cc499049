/** The first JSON value of a text; what follows it is nobody's business. */
export function firstJsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = endOfFirstValue(text);
    if (end === undefined) throw error;
    return JSON.parse(text.slice(0, end));
  }
}

/** Where the object or array ends that the text begins with. */
function endOfFirstValue(text: string): number | undefined {
  const start = /^[\s]*[[{]/.exec(text)?.[0].length;
  if (start === undefined) return undefined;
  let depth = 1;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return undefined;
}
