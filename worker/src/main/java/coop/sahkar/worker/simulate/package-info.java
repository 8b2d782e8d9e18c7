/**
 * A model made of arithmetic, in the place of llama.cpp: small enough for thousands of stages in
 * one process, and wrong at once when a position is lost, doubled or misplaced.
 */
@NullMarked
package coop.sahkar.worker.simulate;

import org.jspecify.annotations.NullMarked;
