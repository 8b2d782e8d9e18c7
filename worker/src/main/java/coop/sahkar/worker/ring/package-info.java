/**
 * Links between workers: connections that carry frames to the next stage and tokens back to the
 * head. Generated protobuf classes stop at the adapters here.
 */
@NullMarked
package coop.sahkar.worker.ring;

import org.jspecify.annotations.NullMarked;
