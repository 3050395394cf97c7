/**
 * Properties that are read anew each time, or made when they are first read.
 *
 * As a getter written into an object literal, which however gives every object a hidden class of its own: those outlive
 * the quick collections of garbage, with all the attempt they were made for. Here all objects of one kind share one.
 */

/**
 * @param read what the property is, of the source that was given for the object
 * @returns adds the property to an object. It is the object's own, so that it is there in a copy (`{ ...object }`)
 */
export function live<Name extends string, Source, Value>(name: Name, read: (source: Source) => Value) {
  const SOURCE = Symbol(name);
  const property: PropertyDescriptor & ThisType<{ readonly [SOURCE]: Source }> = {
    enumerable: true, get() { return read(this[SOURCE]); },
  };
  return <T extends object>(object: T, source: Source): T & Readonly<Record<Name, Value>> => {
    Object.defineProperty(object, SOURCE, { value: source });
    return Object.defineProperty(object, name, property) as T & Readonly<Record<Name, Value>>;
  };
}
