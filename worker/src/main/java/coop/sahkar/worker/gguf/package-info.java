/** GGUF files, manifests of models, and shards cut from them. */
@NullMarked
package coop.sahkar.worker.gguf;

import org.jspecify.annotations.NullMarked;
