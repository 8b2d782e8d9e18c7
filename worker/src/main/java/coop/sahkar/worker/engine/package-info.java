/**
 * The stage engine: one thread owns one loaded shard, drains a bounded mailbox, forms batches from
 * the frames of many sessions and hands results on.
 */
@NullMarked
package coop.sahkar.worker.engine;

import org.jspecify.annotations.NullMarked;
