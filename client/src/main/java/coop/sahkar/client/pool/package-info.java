/**
 * The pool as a provider: gRPC to any of its coordinators. Generated protobuf classes stay inside
 * {@code Wire}, {@code CoordinatorCall} and {@code PoolAnswer}.
 */
@NullMarked
package coop.sahkar.client.pool;

import org.jspecify.annotations.NullMarked;
