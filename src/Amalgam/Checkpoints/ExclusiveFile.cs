namespace Amalgam.Checkpoints;

/// <summary>A file that only one process has open at a time, and so marks a folder as taken.</summary>
internal static class ExclusiveFile
{
    private const int WindowsSharingViolation = unchecked((int)0x80070020), LinuxWouldBlock = 11, MacWouldBlock = 35;

    /// <summary>Opens or creates the file; it may be deleted while it is open.</summary>
    /// <param name="file">The file.</param>
    /// <param name="target">What the other process is making, for the message.</param>
    /// <exception cref="IOException">Another process has it open, or it cannot be opened.</exception>
    public static FileStream Open(string file, string target)
    {
        try
        {
            return new(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult is WindowsSharingViolation or LinuxWouldBlock or MacWouldBlock)
        {
            throw new IOException($"{target} is being written by another run of amalgam; wait until it has ended, or name another output", e);
        }
    }
}
