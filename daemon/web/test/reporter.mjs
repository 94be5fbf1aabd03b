// Prints the results of node:test as cargo prints those of its tests, so that one sum can be made of both.
//
//   test board: a refused drag ... ok (0.8 s)
//   test result: ok. 12 passed; 0 failed

/** Text of an error with what it was caused by: node:test wraps what a test threw. */
function explain(error) {
  const cause = error?.code === 'ERR_TEST_FAILURE' && error.cause instanceof Error ? error.cause : error;
  return String(cause?.stack ?? cause).replace(/^/gm, '    ');
}

export default async function* report(events) {
  let passed = 0;
  let failed = 0;
  const failures = [];
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    const seconds = `${((data.details?.duration_ms ?? 0) / 1000).toFixed(1)} s`;
    if (type === 'test:fail') {
      failed += 1;
      failures.push(`---- ${data.name}\n${explain(data.details?.error)}\n`);
      yield `test ${data.name} ... FAILED (${seconds})\n`;
    } else if (data.skip === undefined && data.todo === undefined) {
      passed += 1;
      yield `test ${data.name} ... ok (${seconds})\n`;
    } else {
      // No test is left out by a mark: what is not to run is not here.
      failed += 1;
      failures.push(`---- ${data.name}\n    is skipped; remove it or let it run\n`);
      yield `test ${data.name} ... FAILED (skipped)\n`;
    }
  }
  if (passed + failed === 0) {
    failed = 1;
    failures.push('---- no test ran; is the filter right?\n');
    process.exitCode = 1;
  }
  for (const failure of failures) yield `\n${failure}`;
  yield `\ntest result: ${failed === 0 ? 'ok' : 'FAILED'}. ${passed} passed; ${failed} failed\n`;
}
