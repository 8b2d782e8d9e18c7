/**
 * Shards on this machine's disk: fetched tensor by tensor from whoever has them, checked against
 * the manifest before use, kept within a bound, and served on to others.
 */
@NullMarked
package coop.sahkar.worker.store;

import org.jspecify.annotations.NullMarked;
