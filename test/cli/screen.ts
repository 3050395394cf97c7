/**
 * A terminal's screen in a few lines: enough to see what stands there after a spinner has drawn and cleaned up.
 */

/** The screen after `bytes` have been written to it, at so many columns: its lines, without trailing spaces. */
export function screenOf(bytes: string, columns: number): string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  const lineAt = (at: number): string[] => {
    while (lines.length <= at) lines.push([]);
    return lines[at] as string[];
  };
  const put = (character: string): void => {
    if (column === columns) [row, column] = [row + 1, 0];
    const line = lineAt(row);
    while (line.length < column) line.push(' ');
    line[column] = character;
    column += 1;
  };
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  for (const [whole, count, letter] of bytes.matchAll(/\u001b\[\??([\d;]*)([A-Za-z])|[^]/gu)) {
    const n = Number(count || 1);
    if (letter === 'A') row = Math.max(0, row - n);
    else if (letter === 'G') column = n - 1;
    else if (letter === 'K') lineAt(row).splice(count === '2' ? 0 : column);
    else if (letter === 'J') {
      lineAt(row).splice(column);
      lines.splice(row + 1);
    } else if (letter !== undefined) continue; // colours, modes
    else if (whole === '\r') column = 0;
    else if (whole === '\n') row += 1;
    else if (whole >= ' ') put(whole);
  }
  return lines.map((line) => Array.from(line, (one) => one ?? ' ').join('').trimEnd());
}
