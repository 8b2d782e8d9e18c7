/**
 * The Java library: {@link coop.sahkar.client.InferenceClient} is the door; everything else is a
 * value it takes or gives. Generated protobuf classes stay inside {@code Wire} and {@code Attempt}.
 */
@NullMarked
package coop.sahkar.client;

import org.jspecify.annotations.NullMarked;
