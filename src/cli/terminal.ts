/**
 * What is known of the terminal: is there one to draw on, are we in its foreground, may there be colour.
 */
import { readFileSync } from 'node:fs';
import type { WriteStream } from 'node:tty';

/**
 * Are we in the foreground of our terminal? Then its keyboard speaks to us, and we may draw on it; a job in the
 * background would draw over the line the user is typing. Told by /proc on Linux, elsewhere any terminal will do.
 */
export function inForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal !== '0' && group === foreground;
  } catch {
    return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY; // no /proc: any terminal has to do
  }
}

/**
 * Does it know how wide it is? A pseudo-terminal made in a pipeline may say 0 columns; ora takes every line for
 * endlessly many there, and never comes back from clearing them.
 */
export const hasWidth = ({ columns }: { readonly columns?: number }): boolean => columns !== 0;

/** May lines be drawn over here? Not on a dumb terminal, in the background, or where nobody watches (CI). */
export const canRedraw = (stream: WriteStream): boolean =>
  stream.isTTY && hasWidth(stream) && process.env['TERM'] !== 'dumb' && !('CI' in process.env) && inForeground();

/** NO_COLOR, as no-color.org has it: present and not empty. */
export const mayColour = (): boolean => !process.env['NO_COLOR'];
