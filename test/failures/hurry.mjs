/** Loaded into a host before it: its monotonic clock runs twenty times as fast, so that a minute's patience takes 3 s. */
const real = performance.now.bind(performance);
performance.now = () => real() * 20;
