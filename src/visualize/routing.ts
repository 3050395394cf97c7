/**
 * From a route in words (leave here, turn there, enter there) to the corners of a line.
 * Must not know: which machine, what is written.
 */
import { places, routes, type Place, type Route, type Side } from './placement.js';
import type { Point } from './scene.js';

interface Ends {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

const sideways = (side: Side): boolean => side === 'left' || side === 'right';

function onSide(place: Place, side: Side, at: number): Point {
  const point = sideways(side)
    ? { x: side === 'left' ? place.x : place.x + place.width, y: at }
    : { x: at, y: side === 'top' ? place.y : place.y + place.height };
  const [low, high] = sideways(side) ? [place.y, place.y + place.height] : [place.x, place.x + place.width];
  const inside = at > low && at < high;
  if (!inside) throw new Error(`A line should touch the ${side} of its box, but ${at} is not on it.`);
  return point;
}

function placeOf(id: string): Place {
  const place = places[id];
  if (!place) throw new Error(`placement.ts has no place for "${id}".`);
  return place;
}

/** Does a point lie on one of the straight parts? */
const liesOn = (point: Point, points: readonly Point[]): boolean => points.some((a, nth) => {
  const b = points[nth + 1];
  if (!b) return false;
  const within = (one: number, other: number, v: number) =>
    v >= Math.min(one, other) && v <= Math.max(one, other);
  return within(a.x, b.x, point.x) && within(a.y, b.y, point.y);
});

function pointsById(id: string): Point[] {
  const route = routes[id];
  const [from, to] = id.split(' > ');
  if (!route || !from || !to) throw new Error(`placement.ts has no route for "${id}".`);
  return pointsOf({ id, from, to }, route);
}

/** @returns the corners of an arrow's line. @throws Error where a route would have to run askew or miss. */
export function pointsOf(arrow: Ends, route: Route): Point[] {
  const points = [onSide(placeOf(arrow.from), route.leave, route.at)];
  let level = sideways(route.leave);
  const go = (to: Partial<Point>) => points.push({ ...points.at(-1)!, ...to });
  for (const turn of route.via ?? []) {
    go(level ? { x: turn } : { y: turn });
    level = !level;
  }
  if (typeof route.enter !== 'string') {
    const { join } = route.enter;
    go(level ? { x: route.to } : { y: route.to });
    if (liesOn(points.at(-1)!, pointsById(join))) return points;
    throw new Error(`"${arrow.id}" should join "${join}" but does not meet it.`);
  }
  const end = onSide(placeOf(arrow.to), route.enter, route.to);
  if (sideways(route.enter) !== level) go(level ? { x: end.x } : { y: end.y });
  const last = points.at(-1)!;
  if (last.x === end.x || last.y === end.y) return [...points, end];
  throw new Error(`"${arrow.id}" would have to run askew: check its turns.`);
}
