/**
 * The stage engine: one thread owns one loaded shard, drains a bounded mailbox, forms batches from
 * the frames of many sessions and hands results on.
 *
 * <p>This package and {@code head} import each other. A head's generations live in its stage's
 * sessions and move on its thread, so the engine holds them; what they are made of, tokens and
 * sampling, is the engine's. An interface between the two would have one user on either side.
 */
@NullMarked
package coop.sahkar.worker.engine;

import org.jspecify.annotations.NullMarked;
