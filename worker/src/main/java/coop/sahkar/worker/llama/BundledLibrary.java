package coop.sahkar.worker.llama;

import coop.sahkar.worker.engine.StageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/** The llama.cpp inside {@code de.kherud:llama}, unpacked so that the system can load it. */
final class BundledLibrary {
    private BundledLibrary() {}

    /**
     * Unpacks the library for this platform under {@code cache}, in a folder named by its SHA-256,
     * unless it is there already, whole and unchanged.
     */
    static Path unpack(Path cache) throws StageException {
        String resource = resource(System.getProperty("os.name"), System.getProperty("os.arch"));
        try {
            String digest = copy(resource, OutputStream.nullOutputStream());
            Path file = cache.resolve(digest).resolve(resource.substring(lastSlash(resource) + 1));
            if (!Files.isRegularFile(file) || !digest.equals(digestOf(file))) {
                write(resource, digest, file);
            }
            return file;
        } catch (IOException e) {
            throw new StageException(
                    "the llama.cpp library could not be unpacked under "
                            + cache
                            + " ("
                            + e
                            + "); make that folder writable, or choose another",
                    e);
        }
    }

    /** Where the library of a platform stands in the jar. */
    static String resource(String os, String arch) throws StageException {
        String system = os.toLowerCase(Locale.ROOT);
        String machine =
                switch (arch.toLowerCase(Locale.ROOT)) {
                    case "amd64", "x86_64", "x64" -> "x86_64";
                    case "aarch64", "arm64" -> "aarch64";
                    default -> "";
                };
        if (!machine.isEmpty() && system.contains("linux")) {
            return "/de/kherud/llama/Linux/" + machine + "/libjllama.so";
        }
        if (!machine.isEmpty() && (system.contains("mac") || system.contains("darwin"))) {
            return "/de/kherud/llama/Mac/" + machine + "/libjllama.dylib";
        }
        throw new StageException(
                "no llama.cpp library is bundled for "
                        + os
                        + " on "
                        + arch
                        + "; download a llama.cpp release of v0.5 for it and name its folder");
    }

    private static int lastSlash(String resource) {
        return resource.lastIndexOf('/');
    }

    private static void write(String resource, String digest, Path file) throws IOException {
        Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
        Path part = Files.createTempFile(folder, "unpack", ".part");
        try {
            try (OutputStream out = Files.newOutputStream(part)) {
                if (!copy(resource, out).equals(digest)) {
                    throw new IOException("the library changed while it was read");
                }
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static String copy(String resource, OutputStream out) throws IOException {
        MessageDigest sha256 = sha256();
        try (InputStream in = BundledLibrary.class.getResourceAsStream(resource);
                OutputStream digested = new DigestOutputStream(out, sha256)) {
            if (in == null) {
                throw new IOException("the program's jar lacks " + resource);
            }
            in.transferTo(digested);
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    private static String digestOf(Path file) throws IOException {
        MessageDigest sha256 = sha256();
        try (OutputStream digested =
                new DigestOutputStream(OutputStream.nullOutputStream(), sha256)) {
            Files.copy(file, digested);
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
