/** The least that Node itself is: the limit that no program of ours can go below. */
process.stdin.on('end', () => process.exit(0)).resume();
setInterval(() => undefined, 1_000);
process.stdout.write('ready\n');
