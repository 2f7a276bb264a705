namespace Amalgam.Tests;

/// <summary>The real data and models, found through <c>AMALGAM_DATA</c> or beside the repository; a stranger's clone has neither.</summary>
internal static class RealData
{
    private static readonly string? Root = Find();

    /// <summary>Path of a file or folder of the data; skips the test where there is no data, fails it where <c>AMALGAM_REQUIRE_DATA</c> is set.</summary>
    public static string At(params string[] parts)
    {
        if (Root is null && Environment.GetEnvironmentVariable("AMALGAM_REQUIRE_DATA") == "1")
            Assert.Fail("the real data was not found, and AMALGAM_REQUIRE_DATA is set: point AMALGAM_DATA at it");
        Assert.SkipWhen(Root is null, "needs the real data: point AMALGAM_DATA at it");
        return Path.Combine([Root!, .. parts]);
    }

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable("AMALGAM_DATA");
        if (!string.IsNullOrEmpty(named)) return Directory.Exists(named) ? named : null;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string beside = Path.Combine(folder.FullName, "shared", "data");
            if (File.Exists(Path.Combine(beside, "SHA256SUMS"))) return beside;
        }

        return null;
    }
}
