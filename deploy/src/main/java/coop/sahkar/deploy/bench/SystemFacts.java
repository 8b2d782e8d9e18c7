package coop.sahkar.deploy.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** What the operating system tells of itself and of processes; unknown where it does not. */
final class SystemFacts {
    private SystemFacts() {}

    /** Load average of the last minute; negative when unknown. */
    static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    /** The processor's name. */
    static String processor() {
        return line(Path.of("/proc/cpuinfo"), "model name").orElse(System.getProperty("os.arch"));
    }

    /** Memory a process holds, in bytes; 0 when unknown. */
    static long residentBytes(long pid) {
        return bytes(pid, "VmRSS");
    }

    /** The most that it ever held, in bytes; 0 when unknown. */
    static long peakResidentBytes(long pid) {
        return bytes(pid, "VmHWM");
    }

    private static long bytes(long pid, String key) {
        return line(Path.of("/proc", Long.toString(pid), "status"), key)
                .map(value -> Long.parseLong(value.replaceAll("\\D", "")) * 1024)
                .orElse(0L);
    }

    private static Optional<String> line(Path file, String key) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(key))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
