/** llama.cpp behind java.lang.foreign: the only package that knows its C API. */
@NullMarked
package coop.sahkar.worker.llama;

import org.jspecify.annotations.NullMarked;
