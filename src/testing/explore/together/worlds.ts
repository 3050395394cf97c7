/**
 * The worlds seen so far, in the order they were seen: numbers and their parents in typed arrays, found by hashing.
 * 8 bytes a world for its number, 4 for its parent, 8 to 16 for finding it: millions fit where a Map takes gigabytes.
 */

const hash = (world: number): number => {
  const high = Math.floor(world / 2 ** 32);
  let bits = Math.imul(world >>> 0, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  return (bits ^ (bits >>> 13)) >>> 0;
};

export class Worlds {
  #worlds = new Float64Array(1 << 12);
  #parents = new Int32Array(1 << 12);
  /** Index + 1 of the world in each place; 0 where there is none. Always at least twice as many places as worlds. */
  #places = new Int32Array(1 << 13);
  size = 0;

  at(index: number): number {
    return this.#worlds[index]!;
  }

  parentOf(index: number): number {
    return this.#parents[index]!;
  }

  /** The index of this world; -1 if it was never seen. */
  find(world: number): number {
    return this.#places[this.#placeOf(world)]! - 1;
  }

  /** True if this world is new. */
  add(world: number, parent: number): boolean {
    const place = this.#placeOf(world);
    if (this.#places[place] !== 0) return false;
    this.#worlds[this.size] = world;
    this.#parents[this.size] = parent;
    this.size += 1;
    this.#places[place] = this.size;
    if (this.size === this.#worlds.length) this.#grow();
    return true;
  }

  #placeOf(world: number): number {
    const mask = this.#places.length - 1;
    let place = hash(world) & mask;
    for (let index = this.#places[place]!; index !== 0; index = this.#places[place]!) {
      if (this.#worlds[index - 1] === world) break;
      place = (place + 1) & mask;
    }
    return place;
  }

  #grow(): void {
    const worlds = new Float64Array(this.size * 2);
    worlds.set(this.#worlds);
    this.#worlds = worlds;
    const parents = new Int32Array(this.size * 2);
    parents.set(this.#parents);
    this.#parents = parents;
    this.#places = new Int32Array(this.size * 4);
    for (let index = 0; index < this.size; index += 1) this.#places[this.#placeOf(worlds[index]!)] = index + 1;
  }
}
