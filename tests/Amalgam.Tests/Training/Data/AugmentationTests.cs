using Amalgam.Training.Data;

namespace Amalgam.Tests.Training.Data;

public class AugmentationTests
{
    [Fact]
    public void A_flip_mirrors_half_of_the_images()
    {
        int flipped = 0;
        for (int sample = 0; sample < 400; sample++)
        {
            float[] image = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
            new Augmentation { Flip = true }.Apply(image, 2, 2, 3, sample, new(1, 0));
            if (image[0] == 1) Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], image);
            else Assert.Equal([3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10], image);
            flipped += image[0] == 3 ? 1 : 0;
        }

        Assert.InRange(flipped, 160, 240);
    }

    [Fact]
    public void A_crop_is_a_part_of_the_padded_image_and_every_place_occurs()
    {
        const int C = 2, H = 4, W = 5, Pad = 2;
        float[] original = [.. Enumerable.Range(1, C * H * W).Select(i => (float)i)];
        float Padded(int c, int y, int x) => y is < Pad or >= H + Pad || x is < Pad or >= W + Pad ? 0 : original[(c * H + y - Pad) * W + x - Pad];
        HashSet<(int, int)> places = [];
        for (int sample = 0; sample < 500; sample++)
        {
            float[] image = [.. original];
            new Augmentation { Pad = Pad }.Apply(image, C, H, W, sample, default);
            var found = (from dy in Enumerable.Range(0, 2 * Pad + 1)
                         from dx in Enumerable.Range(0, 2 * Pad + 1)
                         where Enumerable.Range(0, image.Length).All(i => image[i] == Padded(i / (H * W), i / W % H + dy, i % W + dx))
                         select (dy, dx)).ToArray();
            places.Add(Assert.Single(found));
        }

        Assert.Equal(25, places.Count);
    }

    [Fact]
    public void A_rotation_turns_about_the_middle_by_at_most_its_angle()
    {
        const int Size = 41;
        double largest = 0;
        for (int sample = 0; sample < 60; sample++)
        {
            float[] image = new float[Size * Size];
            for (int y = 3; y < 8; y++) image.AsSpan(y * Size + 18, 5).Fill(1);
            new Augmentation { Rotation = 30 }.Apply(image, 1, Size, Size, sample, new(2, 3));
            double mass = image.Sum(v => (double)v), x = 0, y0 = 0;
            for (int i = 0; i < image.Length; i++) (x, y0) = (x + image[i] * (i % Size - 20.0) / mass, y0 + image[i] * (i / Size - 20.0) / mass);
            Assert.InRange(mass, 24.5, 25.5);
            Assert.InRange(Math.Sqrt(x * x + y0 * y0), 14.9, 15.1);
            double angle = Math.Abs(Math.Atan2(x, -y0)) * 180 / Math.PI;
            Assert.InRange(angle, 0, 30.1);
            largest = Math.Max(largest, angle);
        }

        Assert.InRange(largest, 20, 30.1);
    }

    [Fact]
    public void Normalisation_comes_last_by_channel()
    {
        Augmentation how = new() { Flip = true, Pad = 1, Rotation = 9, Mean = [1, 10], Deviation = [2, 5] };
        float[] image = [1, 2, 10, 20];
        how.Fixed.Apply(image, 2, 1, 2, 0, default);
        Assert.Equal([0, 0.5f, 0, 2], image);
        Assert.False(how.IsNothing);
        Assert.True(new Augmentation().IsNothing);
    }

    [Fact]
    public void Choices_are_the_samples_own()
    {
        Augmentation how = new() { Flip = true, Pad = 3, Rotation = 20 };
        float[] Of(int sample, Draw draw)
        {
            float[] image = [.. Enumerable.Range(0, 64).Select(i => (float)i)];
            how.Apply(image, 1, 8, 8, sample, draw);
            return image;
        }

        Assert.Equal(Of(5, new(1, 2)), Of(5, new(1, 2)));
        Assert.NotEqual(Of(5, new(1, 2)), Of(6, new(1, 2)));
        Assert.NotEqual(Of(5, new(1, 2)), Of(5, new(1, 3)));
        Assert.NotEqual(Of(5, new(1, 2)), Of(5, new(2, 2)));
    }

    [Fact]
    public void Refuses_what_does_not_fit_the_images()
    {
        Assert.Contains("field 'x' [2] is no image", Assert.Throws<ArgumentException>(() => new Augmented(new Numbered(3), new(), "x")).Message);
    }
}
