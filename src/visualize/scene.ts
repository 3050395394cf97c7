/**
 * A picture before it is written: boxes, lines and labels with coordinates, each knowing which states and
 * transitions it stands for. Layout makes it, checks read it, a highlight may change tones, the writer
 * prints it.
 * Must not know: the machine, SVG.
 */
import type { Held } from './held.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly width: number;
  readonly height: number;
}

/** What a line is about, which is more than a colour: the writer gives each its stroke as well. */
export type Tone = 'plain' | 'user' | 'timeout' | 'way' | 'trunk';

export interface TextLine extends Point {
  readonly text: string;
  readonly role: 'name' | 'says' | 'does' | 'label' | 'title' | 'note';
  readonly align: 'start' | 'middle' | 'end';
  readonly tone: Tone | 'leak';
}

export interface Box {
  /** The state's path, or the name of the shared way out. */
  readonly id: string;
  readonly rect: Rect;
  readonly kind: 'state' | 'whole' | 'end' | 'way' | 'bar';
  /** `leak`: the store still has a lock of ours that nobody will give back. */
  readonly held: Held | 'leak';
  readonly texts: readonly TextLine[];
  readonly hover: string;
}

export interface Line {
  /** The arrow's id. */
  readonly id: string;
  readonly transitions: readonly string[];
  readonly points: readonly Point[];
  readonly tone: Tone;
  /**
   * `joint`: it ends on another line and goes on as that one. `start`: it begins at a dot and is no
   * transition.
   */
  readonly end: 'arrow' | 'joint';
  readonly start: boolean;
  readonly hover: string;
}

export interface Label {
  /** The line or note it belongs to. */
  readonly of: string;
  readonly rect: Rect;
  readonly texts: readonly TextLine[];
}

/** A sample in the legend: drawn like the thing it explains. */
export interface Sample {
  readonly rect: Rect;
  readonly shows: { readonly held: Held | 'leak' } | { readonly tone: Tone };
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** The picture in words, for whoever cannot see it. */
  readonly description: string;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly labels: readonly Label[];
  readonly samples: readonly Sample[];
}
