/** Models with random weights, for measuring and for tests: any shape, in seconds. */
@NullMarked
package coop.sahkar.worker.gguf.synthetic;

import org.jspecify.annotations.NullMarked;
