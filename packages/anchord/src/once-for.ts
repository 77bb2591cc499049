/**
 * A pure function that works its answer out once for each value, by the value's identity. Of a hundred containers one has
 * changed: what follows from the others is still there, and is the same value, so that whoever compares sees at a glance.
 */
export function onceFor<Value extends object, Answer>(
  answer: (value: Value) => Answer,
): (value: Value) => Answer {
  const known = new WeakMap<Value, { readonly answer: Answer }>();
  return (value) => {
    const found = known.get(value);
    if (found !== undefined) return found.answer;
    const made = { answer: answer(value) };
    known.set(value, made);
    return made.answer;
  };
}
