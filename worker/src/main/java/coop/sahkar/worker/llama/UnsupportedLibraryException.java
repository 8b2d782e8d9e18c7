package coop.sahkar.worker.llama;

import java.io.Serial;

/** A library that is not the llama.cpp it claims to be; {@link LlamaLibrary} says so in words. */
final class UnsupportedLibraryException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    UnsupportedLibraryException(String message) {
        super(message);
    }
}
