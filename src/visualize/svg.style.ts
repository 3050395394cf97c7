/**
 * How roles and tones look, in light and in dark. Plain class rules rather than CSS variables: some
 * programs that show SVG files do not know variables, and would paint everything black.
 * Must not know: what is drawn.
 */
import type { Font } from './measure.js';
import type { TextLine } from './scene.js';

/** No text below 11.5 units: 11 pixels and more where the picture is shown 830 wide. */
export const fonts: Readonly<Record<TextLine['role'], Font>> = {
  title: { size: 19, bold: true },
  name: { size: 13.5, bold: true },
  says: { size: 12 },
  does: { size: 11.5 },
  label: { size: 12 },
  note: { size: 12 },
};

interface Colours {
  paper: string; ink: string; soft: string; line: string; plate: string; whole: string; edge: string;
  held: string; heldEdge: string; perhaps: string; leak: string; leakEdge: string; user: string; timeout: string;
}

/** Ink on paper is above 7:1, soft text and coloured lines above 4.5:1, in both. */
const light: Colours = {
  paper: '#ffffff', ink: '#1f2328', soft: '#525b66', line: '#656e78', plate: '#ffffff',
  whole: '#f6f8fa', edge: '#8b949e', held: '#cfebd8', heldEdge: '#2b7a4b',
  perhaps: '#eef8f1', leak: '#ffd8d3', leakEdge: '#b42318', user: '#0a5bc4', timeout: '#b3400a',
};
const dark: Colours = {
  paper: '#0d1117', ink: '#e6edf3', soft: '#a3adb8', line: '#8b949e', plate: '#0d1117',
  whole: '#161b22', edge: '#6e7681', held: '#1a472c', heldEdge: '#56b87c',
  perhaps: '#12241b', leak: '#5c1a15', leakEdge: '#ff8a7a', user: '#79b8ff', timeout: '#ff9d5c',
};

const colourRules = (c: Colours): string[] => [
  `.paper{fill:${c.paper}}`,
  `text{fill:${c.ink}}.says,.does,.note{fill:${c.soft}}`,
  `.box{fill:${c.plate};stroke:${c.edge}}.box.whole,.box.parts{fill:${c.whole}}`,
  `.box.perhaps{fill:${c.perhaps};stroke:${c.heldEdge}}.box.held{fill:${c.held};stroke:${c.heldEdge}}`,
  `.box.leak{fill:${c.leak};stroke:${c.leakEdge}}text.leak{fill:${c.leakEdge}}`,
  `.box.way{fill:${c.paper};stroke:${c.ink}}.box.end{stroke:${c.ink}}`,
  `.line{stroke:${c.line}}.head,.dot{fill:${c.line}}`,
  `.line.user{stroke:${c.user}}.head.user,text.user{fill:${c.user}}`,
  `.line.timeout{stroke:${c.timeout}}.head.timeout,text.timeout{fill:${c.timeout}}`,
  `.line.way,.line.trunk{stroke:${c.ink}}.head.way,.head.trunk{fill:${c.ink}}`,
];

const fontRules = Object.entries(fonts).map(([role, { size, bold }]) =>
  `.${role}{font-size:${size}px${bold ? ';font-weight:700' : ''}}`);

/**
 * @returns the text of the style element: shape first, then light, then dark where the reader's system asks
 * for it.
 */
export const styleSheet = (): string => [
  "text{font-family:Helvetica,Arial,'Liberation Sans',sans-serif}",
  ...fontRules,
  '.box{stroke-width:1.2}.box.perhaps{stroke-dasharray:5 3}',
  '.box.leak{stroke-width:2.4;stroke-dasharray:2 2}text.leak{font-weight:700}',
  '.box.end{stroke-width:2.4}.box.way{stroke-width:2}',
  '.line{fill:none;stroke-width:1.4;stroke-linejoin:round}',
  '.line.user,.line.timeout,.line.way{stroke-width:2.4}.line.timeout{stroke-dasharray:7 4}',
  '.line.trunk{stroke-width:5}text.way,text.trunk{font-weight:700}',
  ...colourRules(light),
  `@media (prefers-color-scheme:dark){${colourRules(dark).join('')}}`,
].join('\n');
