package coop.sahkar.worker.llama;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The C functions of one loaded library, found by name. */
final class Symbols {
    private static final Linker LINKER = Linker.nativeLinker();

    private final SymbolLookup lookup;
    private final String library;

    /**
     * @param library how messages name the library
     */
    Symbols(SymbolLookup lookup, String library) {
        this.lookup = lookup;
        this.library = library;
    }

    boolean has(String function) {
        return lookup.find(function).isPresent();
    }

    /** Binds a function that returns a value. */
    MethodHandle of(String function, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(address(function), FunctionDescriptor.of(result, arguments));
    }

    /** Binds a function that returns nothing. */
    MethodHandle ofVoid(String function, MemoryLayout... arguments) {
        return LINKER.downcallHandle(address(function), FunctionDescriptor.ofVoid(arguments));
    }

    private MemorySegment address(String function) {
        return lookup.find(function)
                .orElseThrow(() ->
                        new UnsupportedLibraryException(
                                "the library "
                                        + library
                                        + " has no function "
                                        + function
                                        + "; use the bundled one or a llama.cpp release"
                                        + " that Sahkar supports"));
    }

    /** What a call through a bound handle can only throw when the binding itself is wrong. */
    static IllegalStateException broken(@Nullable Throwable thrown) {
        if (thrown instanceof RuntimeException runtime) {
            throw runtime;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        return new IllegalStateException("a native call failed", thrown);
    }
}
