/**
 * Nothing is compiled to optimised code from here on: what a daemon does is short and seldom, and the compilers would keep
 * megabytes for it. These are no flags of the command line, because V8 takes code that was compiled ahead of time only under
 * the flags that it was compiled with: Node would compile each of its own modules anew at every start.
 */
export function stopOptimising(): void {
  const v8 = process.getBuiltinModule('node:v8');
  for (const flag of ['--no-opt', '--no-maglev']) v8.setFlagsFromString(flag);
}
